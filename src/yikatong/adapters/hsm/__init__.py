"""Key devices 加密机: implementations of `registry.cards.chip.hsm.CardHsm`."""

"""What rooms above must do in the very transaction in which a person's record begins or ends."""

from django.dispatch import Signal

#: Sent with holder_id, by, at when a holder has died, left or been merged; receivers act in the same transaction.
holder_ended = Signal()
#: Sent with holder_id, at when a person has been registered; receivers act in the same transaction.
holder_registered = Signal()

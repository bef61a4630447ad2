"""The line to other platforms that accept our codes: signed lists over signed HTTP (docs/spec/partners-v1.md)."""

"""What rooms above must do in the very transaction in which an application is taken."""

from django.dispatch import Signal

#: Sent with case, at when a case has been submitted, new or from a draft; receivers act in the same transaction.
case_submitted = Signal()
#: Sent with holder_ids (a list), at when a chunk of a roster has become cases; receivers act in the same transaction.
roster_submitted = Signal()

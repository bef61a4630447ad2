"""The line to the departments of joint matters: signed JSON over HTTP."""

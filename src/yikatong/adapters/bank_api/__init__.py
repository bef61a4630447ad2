"""The line to the banks: signed JSON over HTTP."""

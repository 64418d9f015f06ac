"""What a person did or gave that cannot work. The command line prints the message as one line and exits with status 2."""


class UserError(Exception):
    """Bad input; the message says what was wrong, where (file and key, joint, device), and what to do."""

"""What a person did or gave that cannot work. The command line prints the message as one line and exits with status 2."""


class UserError(Exception):
    """Bad input; the message says what was wrong, where (file and key, joint, device), and what to do."""


class Absent(UserError):
    """A file that nobody has made yet, or an extra that is not installed: what needs neither can go on without."""

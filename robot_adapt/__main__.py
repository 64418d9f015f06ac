"""`python -m robot_adapt` is `robot-adapt`."""

from robot_adapt.cli.main import main

main()

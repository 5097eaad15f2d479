"""The play: client and server side, correlation, clocks, the recorder."""

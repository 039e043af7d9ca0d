"""The running whole: settings, wiring, processes and the command line."""

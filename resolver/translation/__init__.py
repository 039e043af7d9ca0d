"""Between what a door speaks and Query and Answer. Pure: nothing here waits."""

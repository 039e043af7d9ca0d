"""What the native protocol can be asked to do: a table from operation to how it is done."""

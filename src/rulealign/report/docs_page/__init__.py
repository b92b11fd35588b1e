"""Pages of docs/ whose numbers come from the tables of a finished study."""

"""Train networks under different learning rules and compare them with human visual cortex."""

__version__ = "0.1.0"

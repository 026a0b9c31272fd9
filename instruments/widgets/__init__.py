"""Live panels for notebooks: an acquisition that is watched, steered and stopped while it measures."""

from instruments.widgets.live import LivePanel, LiveSettings, live

__all__ = ["LivePanel", "LiveSettings", "live"]

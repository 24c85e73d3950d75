"""Those who can be asked. An SDK is imported when its provider is opened."""

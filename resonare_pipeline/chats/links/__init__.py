"""What the links of messages lead to: found, fetched from strangers' servers, remembered."""

"""Where bytes lie: images, sources and the bin, each file durable before anybody hears of it."""

"""The console: pages that people work with in a browser, made on the server. One file per noun."""

"""Where code runs: the gateway, the bridge to it, and the kernelspecs (targets) that name both."""

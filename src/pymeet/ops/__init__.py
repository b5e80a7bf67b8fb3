"""What an operator needs: logs, metrics, checks, certificates, and the operations behind the command line."""

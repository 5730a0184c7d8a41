"""Vault: Ansible's vault format, the secrets that open it, and files edited without leaving plaintext behind."""

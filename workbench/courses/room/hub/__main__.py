"""``python -P -m genai4eu.courses.room.hub -f config.py``: JupyterHub, without what nobody asks for. By the room."""

from jupyterhub.app import main

main()

"""Leave out what takes a second to import and what nothing here asks for: jsonschema's optional checker of IRIs.

Imported first, for its effect, by processes that are all ours; a user's own process keeps whatever is installed.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

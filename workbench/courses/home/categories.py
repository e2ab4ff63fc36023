"""Categories of the report for a European Digital Innovation Hub, in one place. Called by the report and by the board.

Hubs are asked for the organisations that they served "by user category (businesses of different sizes, public sector
entities, etc.), sector, location and type of support received" (text of the Digital Europe calls for the network of
hubs). Sizes, kinds of public organisations and sectors are those of module 1 of the *Digital Maturity Assessment
Questionnaire for EDIH Customers* of the Commission's Joint Research Centre; the services are the four of those calls.
What neither of them names and a course needs is marked below as ours. The hub's own reporting tool has the last word:
where its list differs, change it here.
"""

from __future__ import annotations

from ...dashboards.pages.language import N_

UNKNOWN = "unknown"
ORGANISATIONS = {
    "micro": N_("Micro enterprise (1 to 9 staff)"),
    "small": N_("Small enterprise (10 to 49 staff)"),
    "medium": N_("Medium enterprise (50 to 249 staff)"),
    "large": N_("Large enterprise (250 staff or more)"),
    "national": N_("National authority"),
    "regional": N_("Regional authority"),
    "municipal": N_("Province or municipal authority"),
    "public-other": N_("Other public organisation"),
    "research": N_("University, school or research organisation"),  # ours
    "none": N_("No organisation"),  # ours: who comes for themselves
}
SECTORS = {
    "aeronautics": N_("Aeronautics and space"),
    "agriculture": N_("Agriculture and food"),
    "community": N_("Community, social and personal services"),
    "construction": N_("Construction"),
    "consumer": N_("Consumer goods"),
    "culture": N_("Culture and creative industries"),
    "defence": N_("Defence and security"),
    "education": N_("Education"),
    "energy": N_("Energy and utilities"),
    "environment": N_("Environment"),
    "finance": N_("Financial services"),
    "health": N_("Life sciences and healthcare"),
    "legal": N_("Legal aspects"),
    "manufacturing": N_("Manufacturing"),
    "maritime": N_("Maritime and fishery"),
    "mining": N_("Mining and quarrying"),
    "mobility": N_("Mobility, including automotive"),
    "professional": N_("Professional, scientific and technical activities"),
    "public": N_("Public administration"),
    "business": N_("Real estate, renting and business activities"),
    "regulation": N_("Regulation"),
    "ict": N_("Telecommunications, information and communication"),
    "tourism": N_("Tourism, restaurants and hospitality"),
    "retail": N_("Wholesale and retail"),
    "other": N_("Another sector"),
}
SERVICES = {
    "test": N_("Test before invest"),
    "skills": N_("Skills and training"),
    "investment": N_("Support to find investment"),
    "network": N_("Innovation ecosystem and networking"),
}
#: What a trainer may enter of a seat, and what it may be.
CATEGORIES = {"sector": SECTORS, "organisation": ORGANISATIONS, "service": SERVICES}
HEADS = {"sector": N_("Sector"), "organisation": N_("Kind of organisation"), "service": N_("Service")}
NOT_KNOWN = N_("Not known")

"""Tools that Tool RAG never learnt, as MCP servers describe theirs, and requests for them."""

from __future__ import annotations

from tinyagent.domain.json_tools import tool_from_schema
from tinyagent.domain.tools import ToolSpec

DESCRIPTIONS = {
    "weather_get_forecast": "Get the weather forecast for a city for the next days.",
    "weather_get_alerts": "List active weather alerts such as storms and floods for a state.",
    "github_create_issue": "Create a new issue in a GitHub repository.",
    "github_list_pull_requests": "List pull requests of a GitHub repository, filtered by state.",
    "github_get_file_contents": "Read the contents of a file in a GitHub repository.",
    "github_merge_pull_request": "Merge a pull request.",
    "slack_post_message": "Post a message to a Slack channel.",
    "slack_list_channels": "List the public channels of the workspace.",
    "home_set_light": "Switch a lamp on or off, or dim it.",
    "home_set_temperature": "Set the target temperature of a room's thermostat.",
    "home_lock_door": "Lock or unlock a door.",
    "home_start_vacuum": "Start the robot vacuum cleaner in a room.",
    "music_play": "Play a song, an album or a playlist on a speaker.",
    "music_set_volume": "Set the volume of a speaker.",
    "database_query": "Run a read-only SQL query against the PostgreSQL database and return the rows.",
    "database_list_tables": "List all tables of the database with their columns.",
    "fetch_fetch": "Fetch a web page by its URL and return it as Markdown.",
    "brave_web_search": "Search the web with the Brave search engine.",
    "stocks_get_quote": "Current price of a stock by its ticker symbol.",
    "stocks_get_history": "Historical daily prices of a stock.",
    "translate_text": "Translate a text into another language.",
    "currency_convert": "Convert an amount of money from one currency to another at today's rate.",
    "flights_search": "Search for flights between two airports on a date.",
    "hotels_book_room": "Book a hotel room for the given nights.",
    "jira_search_tickets": "Search Jira tickets with JQL.",
    "jira_transition_ticket": "Move a Jira ticket to another status.",
    "docker_list_containers": "List running Docker containers.",
    "docker_restart_container": "Restart a container.",
    "printer_print_document": "Print a document on the office printer.",
    "puppeteer_screenshot": "Take a screenshot of a web page.",
    "memory_add_observation": "Add an observation to an entity in the knowledge graph.",
    "water_plants": "Open the valve of the irrigation for some minutes.",
}

WANTED = [
    ("What will the weather be like in Oslo tomorrow?", "weather_get_forecast"),
    ("Will it rain in Berlin this weekend?", "weather_get_forecast"),
    ("Are there any storm warnings for Texas?", "weather_get_alerts"),
    ("Open an issue in acme/shop that the checkout crashes", "github_create_issue"),
    ("File a bug on GitHub about the broken login button", "github_create_issue"),
    ("Which pull requests are still open in acme/shop?", "github_list_pull_requests"),
    ("Show me the README of the acme/shop repo", "github_get_file_contents"),
    ("Merge PR 42", "github_merge_pull_request"),
    ("Tell the #general channel on Slack that the release is out", "slack_post_message"),
    ("Post in Slack that I am working from home today", "slack_post_message"),
    ("What channels do we have on Slack?", "slack_list_channels"),
    ("Turn off the lights in the kitchen", "home_set_light"),
    ("Dim the bedroom lamp to 20 percent", "home_set_light"),
    ("Make it 21 degrees in the living room", "home_set_temperature"),
    ("Turn the heating up a bit", "home_set_temperature"),
    ("Is the front door locked? If not, lock it", "home_lock_door"),
    ("Vacuum the hallway", "home_start_vacuum"),
    ("Play some jazz in the kitchen", "music_play"),
    ("Put on Abbey Road by the Beatles", "music_play"),
    ("Make the music quieter", "music_set_volume"),
    ("How many orders were placed last month according to the database?", "database_query"),
    ("Run a SQL query that counts the users by country", "database_query"),
    ("Which tables are in the database?", "database_list_tables"),
    ("Read https://example.com/news and give me the gist", "fetch_fetch"),
    ("Get the content of the page www.example.org", "fetch_fetch"),
    ("Search the web for the best pizza dough recipe", "brave_web_search"),
    ("Look up online who won the Tour de France in 2019", "brave_web_search"),
    ("What is Apple stock trading at?", "stocks_get_quote"),
    ("How did MSFT do over the last year?", "stocks_get_history"),
    ("Translate 'good morning' into Japanese", "translate_text"),
    ("How do you say thank you in Polish?", "translate_text"),
    ("How much is 250 dollars in euros?", "currency_convert"),
    ("Find me a flight from Boston to Lisbon on May 3", "flights_search"),
    ("Book a room in Rome for two nights", "hotels_book_room"),
    ("Which Jira tickets are assigned to me?", "jira_search_tickets"),
    ("Move ticket SHOP-12 to done", "jira_transition_ticket"),
    ("Which Docker containers are running right now?", "docker_list_containers"),
    ("Restart the nginx container", "docker_restart_container"),
    ("Print the quarterly report", "printer_print_document"),
    ("Take a screenshot of example.com", "puppeteer_screenshot"),
    ("Remember in the knowledge graph that Anna likes tea", "memory_add_observation"),
    ("Water the garden for ten minutes", "water_plants"),
]
"""Requests, each with the tool that it needs."""

BUILT_IN_REQUESTS = [
    "Text Sid that I am late",
    "Remind me tomorrow at 9 to call the dentist",
    "Create a meeting with Ann on Friday at three about the budget",
    "Email Leilani that the report is ready",
    "Reply to this email that I am busy",
    "Forward this mail to Bob",
    "Show me the way from home to the airport",
    "Open Central Park on the map",
    "Open my Payday note",
    "Add milk to my Groceries note",
    "Write a note about the trip to Rome",
    "Summarize the PDF quarterly report",
    "Find the file budget.xlsx",
    "What is Jane's phone number?",
    "What is the email address of Omar?",
    "Make a Zoom link for tomorrow's stand-up at ten",
    "Schedule a dinner with Maria on June 1 at 7 pm at Luigi's and invite her",
    "Send the summary of contract.pdf to Tom by email",
    "Remind me on Monday to pay the rent",
    "Text Mum and Dad that we arrived",
]
"""Requests that the sixteen serve alone."""

CHATTER = ["hi there", "How are you?", "Tell me a joke", "Thanks!", "What is the meaning of life?"]
"""Requests that no tool serves."""


def added_tools() -> list[ToolSpec]:
    """All of them, without arguments."""
    return [tool_from_schema(name, text, None, app="mcp:test") for name, text in DESCRIPTIONS.items()]

// All tests, in one process and one house.

import "./anthropic.js";
import "./bedrock.js";
import "./genai.js";
import "./ollama.js";
import "./openai.js";
import "./openai-providers.js";

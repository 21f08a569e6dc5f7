-- Where each sentence that ordered the product is tested. The table is the truth; docs/requirements.md is made from it
-- (TAP_WRITE_DOCS=1), and a test that is named here and not there any more fails.
local sys = require "tap.core.sys"

-- { sentence, spec, a part of the test's name }
local MANAGER = {
  { "Region forced to us-west-2", "deploy", "that fixes the region refuses another one" },
  { "Reads sensitive values from environment variables only", "journal", "has no secret in it" },
  { "Create/Update/Delete with intelligent change set usage", "deploy", "creates, says when there is nothing to do" },
  { "Minimal downtime: rolling updates, health-check aware", "tapstack_yml",
    "Launch Template + Auto Scaling Group tied" },
  { "Template validation before any action", "create",
    "is refused with the constraint in the message before anything" },
  { "Automated rollback on failure", "deploy", "tells a failed update, where it stands in the template" },
  { "Capabilities set correctly", "create", "is refused when a capability is missing" },
  { "Detailed logging: structured, with operation ids; events on failure", "journal", "has runs with steps, requests" },
  { "Retries with backoff for transient errors", "stack", "outlives a network that fails for a while" },
  { "Explicit timeouts to avoid indefinite waits", "stack", "gives up after its timeout, with class timeout" },
  { "Graceful handling of common states", "recover", "continues a rollback whose cause is mended" },
  { "Safe concurrency: stack is in progress", "watch", "can be waited for, or followed instead" },
  { "Avoid concurrent updates", "lock", "is held by one living run of the machine" },
  { "Notifications: the topic of the stack's output, else the environment's", "verify",
    "is told to the topic that an output names" },
  { "Verification: read-backs before reporting final success", "verify", "is verified before it is a success" },
  { "validate | create | update | delete as commands", "tapstack_yml", "runs the template's life and its troubles" },
  { "Prints to stdout and writes to a rotating log file; redacts secrets", "journal", "has no secret in it" },
  { "Self-test: validates, runs the flows, retries and exceptions, offline", "tapstack_yml",
    "runs the template's life and its troubles" },
  { "Lints the template structure without internet", "lint", "stops a deployment before anything is touched" },
}

local EDGES = {
  { "Stack already exists; choose update path with change set", "stack", "is created, looked at and deleted" },
  { "ROLLBACK_COMPLETE: guidance, or forced delete with confirmation flag", "deploy",
    "does not touch a stack whose creation failed, unless told" },
  { "UPDATE_ROLLBACK_FAILED: guidance", "recover", "finds the smallest list to skip" },
  { "DELETE_FAILED: targeted retries and clear user guidance", "recover", "empties a full bucket, after asking" },
  { "Idempotent no updates results; log and exit 0", "deploy", "creates, says when there is nothing to do" },
  { "Throttling, network hiccups", "tapstack_yml", "runs the template's life and its troubles" },
  { "Eventual consistency delays", "stack", "outlives the moment in which a new stack is not known" },
  { "A stack in progress", "watch", "attaches to what is at work" },
}

-- The exit code contract, each reached.
local EXITS = {
  { "0 done", "deploy", "creates, says when there is nothing to do" },
  { "1 failed in another way", "deploy", "needs a stack that is there" },
  { "2 wrong usage", "cli", "that cannot say what it would do refuses" },
  { "3 template or parameters invalid", "lint", "stops a deployment before anything is touched" },
  { "4 refused", "deploy", "is refused by a gate where data would be lost" },
  { "5 busy", "lock", "is held by one living run of the machine" },
  { "6 rolled back cleanly", "deploy", "tells a failed update, where it stands" },
  { "7 stuck", "recover", "continues a rollback whose cause is mended" },
  { "8 timed out, goes on", "create", "that does not end in time exits 8" },
  { "9 verification failed", "verify", "sees a bucket that is open" },
  { "10 credentials", "stack", "is refused with wrong credentials, exit 10; and without a ne" },
  { "11 unreachable", "stack", "is refused with wrong credentials, exit 10; and without a ne" },
  { "20 changes pending", "deploy", "leaves nothing behind when nobody agrees" },
  { "130 interrupted", "create", "during a create says what goes on in AWS" },
  { "143 terminated", "create", "as SIGTERM leaves it running" },
}

local TABLES = { { "The stack manager (seeds/tapstack-managed.md)", MANAGER }, { "Its edge cases", EDGES },
  { "Exit codes", EXITS } }

local function names_in(spec)
  local names = {}
  for name in sys.read_file(("spec/%s_spec.lua"):format(spec)):gmatch('it%("([^\n]-)", function') do
    names[#names + 1] = name
  end
  return names
end

local function find(spec, part)
  for _, name in ipairs(names_in(spec)) do
    if name:find(part, 1, true) then return name end
  end
  return nil
end

-- Templates are tested by specs whose tests are named by the sentences themselves.
local function add_templates(lines)
  for _, name in ipairs { "tapstack_yml", "tapstack_json" } do
    lines[#lines + 1] = ""
    lines[#lines + 1] = ("## spec/%s_spec.lua: a test a sentence"):format(name)
    lines[#lines + 1] = ""
    for _, sentence in ipairs(names_in(name)) do lines[#lines + 1] = "- " .. sentence end
  end
end

describe("every sentence that ordered the manager", function()
  it("has a test, and docs/requirements.md says which", function()
    local lines = {
      "# What was ordered, and where it is tested", "",
      "Made by spec/requirements_spec.lua: do not edit.",
    }
    for _, entry in ipairs(TABLES) do
      lines[#lines + 1] = ("\n## %s\n\n| what | test |\n| --- | --- |"):format(entry[1])
      for _, row in ipairs(entry[2]) do
        local name = find(row[2], row[3])
        assert(name, ("%s: no test of spec/%s_spec.lua has '%s' in its name"):format(table.unpack(row)))
        lines[#lines + 1] = ("| %s | %s: %s |"):format(row[1], row[2], name)
      end
    end
    add_templates(lines)
    local text = table.concat(lines, "\n") .. "\n"
    if sys.getenv "TAP_WRITE_DOCS" == "1" then sys.write_file("docs/requirements.md", text) end
    assert.equal(sys.read_file "docs/requirements.md", text)
  end)
end)

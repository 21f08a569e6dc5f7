--- Deploys several stacks, each by its stack file: those that others need first, side by side where they can be.

local tap = require "tap"

-- The options of a deployment. A file that says its region needs none.
local function words_for(ctx, p, member)
  local emulator = ctx.run.sandbox
  local words = { p.dry_run and "--dry-run" or "--yes", "--if-busy", p.if_busy }
  local function add(option, value)
    if value then words[#words + 1], words[#words + 2] = option, value end
  end
  add("--region", not member.file.region and ctx.run:region() or nil)
  add("--profile", ctx.options.profile)
  add("--endpoint-url", emulator and emulator.url or ctx.options.endpoint_url)
  add("--accept", #p.accept > 0 and table.concat(p.accept, ",") or nil)
  return words
end

local SANDBOX = { AWS_ACCESS_KEY_ID = "test", AWS_SECRET_ACCESS_KEY = "test", AWS_PROFILE = "" }
local SPEED = 500 -- of a sandbox's clock: other processes ask it, so that it cannot jump to what comes next

local function order_lines(members)
  local rows = {}
  for index, member in ipairs(members) do
    rows[index] = { member.name, member.path, #member.needs > 0 and "after " .. table.concat(member.needs, ", ") or "" }
  end
  return require("tap.util").columns(rows, "  ")
end

-- What is told of a stack while it goes on: when it begins, and all that its run has said when it has ended.
local function teller(ctx)
  return function(member, kept_by)
    if kept_by then
      ctx.out:note(("%s is left out: %s has not been deployed"):format(member.name, kept_by))
    elseif member.status == "waiting" then
      ctx.out:note(("%s: deploying %s"):format(member.name, member.path))
    else
      for line in member.said:gmatch "[^\n]+" do ctx.out:note(("%s | %s"):format(member.name, line)) end
    end
  end
end

local function summary(members)
  local list, rows, worst = tap.list {}, {}, nil
  for index, member in ipairs(members) do
    list[index] = { stack_name = member.name, stack_file = member.path, needs = member.needs, status = member.status,
      outcome = member.outcome, seconds = member.seconds }
    rows[index] = { member.status, member.name, member.outcome or "",
      member.seconds and require("tap.util").show_duration(member.seconds) or "" }
    if member.status == "failed" then worst = worst or member.outcome end
    if member.outcome == "changes" then worst = worst or "changes" end
  end
  return { stacks = list, exit = worst }, table.concat(require("tap.util").columns(rows), "\n")
end

return tap.workflow {
  name = "deploy-all",
  summary = "deploy several stacks by their stack files, those that others need first",
  effects = { "cloudformation" },
  params = {
    { "stack", "list", positional = true, help = "stack files, and folders of them; else this folder's" },
    { "at-once", "integer", min = 1, max = 50, default = 4, help = "how many are deployed side by side" },
    { "accept", "list", help = "gates that may be passed this once: data-loss, ..." },
    { "if-busy", "enum", values = { "fail", "wait", "attach" }, default = "fail", help = "as of deploy" },
    { "dry-run", "boolean", default = false, help = "show the changes of each, execute nothing" },
  },
  usage = "tapengine deploy-all stacks/",

  run = function(ctx, p)
    local fleet, util = require "tap.fleet", require "tap.util"
    local members = fleet.read(ctx, #p.stack > 0 and p.stack or { "." })
    for _, line in ipairs(order_lines(members)) do ctx.out:note(line) end
    if not p.dry_run then
      ctx:confirm(("Deploy %s in %s, each without asking again?"):format(util.count(#members, "stack"), ctx:where()))
    end
    if ctx.run.sandbox then require("tap.task").clock("scaled", SPEED) end
    fleet.deploy(members, { at_once = p.at_once, env = ctx.run.sandbox and SANDBOX or nil, tell = teller(ctx),
      argv = function(member) return words_for(ctx, p, member) end })
    return summary(members)
  end,
}

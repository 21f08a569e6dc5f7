--- Takes resources that exist already into a stack, new or not, through a change set.

local tap = require "tap"

-- Rollout options that mean nothing for an import.
local function params()
  return require("tap.target_params").rollout_without({ "on-failure", "replace-failed", "import-existing",
    "revert-drift", "express" }, {
    { "identifier", "map", help = "LOGICALID=NAME of the thing to take over, where the template does not name it" },
  })
end

return tap.workflow {
  name = "import",
  summary = "take resources that exist already into a stack: those that its template has and it has not",
  effects = { "cloudformation" },
  params = params(),
  usage = "tapengine import web --template web.yml --identifier Net=vpc-0a1b2c3d",

  run = function(ctx, p)
    local rollout = require "tap.rollout"
    local given = {}
    for name, value in pairs(p) do given[name] = value end
    local job = rollout.begin(ctx, require("tap.target_params").values(given), "import")
    job.identifiers = p.identifier
    return rollout.run(job)
  end,
}

--- The versions of a stack that were deployed, as the journal keeps them, and the way back to one: the same template,
-- parameters and tags again, as a change set, with the gates.

local journal = require "tap.journal"
local json = require "tap.core.json"
local proc = require "tap.core.proc"
local sys = require "tap.core.sys"
local target_params = require "tap.target_params"
local text = require "tap.core.text"

local versions = {}

--- The newest first; none without a journal.
---@param stack string its name or id
---@param region string? nil: any
---@return table[] rows of the journal
function versions.of(stack, region)
  if not journal.path() then return {} end
  local book = journal.open()
  local found = book:versions(stack, region)
  book:close()
  return found
end

local function tags_of(version)
  local tags = {}
  for _, tag in ipairs(json.decode(version.tags)) do tags[tag.Key] = tag.Value end
  return tags
end

--- Deploys one again.
---@param ctx tap.Context
---@param version table row of the journal
---@param values table<string, any> further ones of a deployment, by field: stack_name, accept, ...
---@return table result
---@return string words
function versions.deploy(ctx, version, values)
  local rollout = require "tap.rollout"
  local folder = sys.temp_folder()
  ctx:finally(function() proc.run { "rm", "-rf", folder } end)
  local path = folder .. "/template"
  sys.write_file(path, version.template)
  ctx.out:note(("version %d of %s, deployed %s"):format(version.n, values.stack_name, text.iso_time(version.at)))
  local all = { template = path, parameter = json.decode(version.parameters), tags = tags_of(version),
    capabilities = json.decode(version.capabilities) }
  for name, value in pairs(values) do all[name] = value end
  return rollout.run(rollout.begin(ctx, target_params.values(all), "deploy"))
end

return versions

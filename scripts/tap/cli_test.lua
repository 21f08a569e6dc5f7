--- test [SPEC...]: runs a team's specs (busted's) in the engine, where they can wait and rehearse (tap.rehearsal).
-- Without files: every tap/spec/*_spec.lua, else spec/*_spec.lua.

local errors = require "tap.error"
local sys = require "tap.core.sys"

local test = {}

local FOLDERS = { "tap/spec", "spec" }

local function default_files()
  local files = {}
  for _, folder in ipairs(FOLDERS) do
    for _, name in ipairs(errors.try(sys.list_dir, folder) or {}) do
      if name:find("_spec%.lua$") then files[#files + 1] = folder .. "/" .. name end
    end
    if #files > 0 then return files end
  end
  return files
end

--- `tapengine test [SPEC...]`.
---@param argv string[] files, or busted's options
---@return integer exit code
function test.run(argv)
  local words = { table.unpack(argv) }
  if #words == 0 then words = default_files() end
  if #words == 0 then
    errors.raise { class = "usage", code = "BadArguments",
      message = "there is no spec: tapengine test FILE_spec.lua, or files in tap/spec/" }
  end
  local found, runner = pcall(require, "busted.runner")
  if not found then
    errors.raise { class = "failed", code = "NoBusted", message = "busted is not installed for Lua 5.4",
      hints = { "Debian and Ubuntu: apt-get install lua-busted" } }
  end
  arg = table.move(words, 1, #words, 1, { [0] = "tapengine test" }) -- luacheck: globals arg
  runner { standalone = false }
  return 0
end

return test

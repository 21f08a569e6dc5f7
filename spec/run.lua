--- Runs the Lua specs inside the engine:
--
--     build/tapengine spec/run.lua [busted's options] [files or folders]
--
-- busted runs in the root task, so that a spec can wait. Without files: all of spec/*_spec.lua. The exit code
-- is busted's: 0 when everything passed.

require "busted.runner" { standalone = false }

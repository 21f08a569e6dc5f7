--- Shows what was done from this machine: the runs of the journal, one of them in full, the versions of a stack.

local tap = require "tap"

local function when(seconds)
  return seconds and tap.iso_time(seconds):gsub("T", " "):gsub("Z", "") or ""
end

local function lasted(run)
  local util = require "tap.util"
  return run.ended and util.show_duration(math.max(0, run.ended - run.began)) or "not ended"
end

local function list_runs(book, stack, limit)
  local rows, runs = {}, tap.list(book:runs { stack = stack, limit = limit })
  for index, run in ipairs(runs) do
    rows[index] = { run.id, when(run.began), run.workflow, run.stack or "", run.outcome or "unfinished", lasted(run),
      run.who or "" }
  end
  return runs, rows
end

local function list_versions(book, stack)
  local rows, versions = {}, tap.list(book:versions(stack))
  for index, version in ipairs(versions) do
    rows[index] = { "  version " .. version.n, when(version.at), version.run or "", version.who or "" }
  end
  return versions, rows
end

local function show_run(run)
  local util = require "tap.util"
  local lines = { ("%s  %s %s"):format(run.id, run.workflow, table.concat(run.argv, " ")),
    ("  began %s, %s, %s"):format(when(run.began), run.outcome or "unfinished", lasted(run)) }
  if run.cause then lines[#lines + 1] = "  " .. run.cause:gsub("\n", "\n  ") end
  local rows = {}
  for _, step in ipairs(run.steps) do
    local took = step.ended and util.show_duration(step.ended - step.began) or ""
    rows[#rows + 1] = { "step", step.name, step.status, took,
      step.error and step.error:match("^[^\n]*") or "" }
  end
  for _, request in ipairs(run.requests) do
    rows[#rows + 1] = { "request", request.operation, request.refused and "refused" or request.answered and "answered"
      or "no answer", request.stack or "", request.token or "" }
  end
  local shown = util.columns(rows, "  ")
  table.move(shown, 1, #shown, #lines + 1, lines)
  lines[#lines + 1] = ("  %d stack events"):format(#run.events)
  return table.concat(lines, "\n")
end

local function show(book, words)
  local util = require "tap.util"
  if words[1] == "show" then
    local run = words[2] and book:find(words[2])
    if not run then
      tap.error.raise { class = "failed", code = "NoSuchRun",
        message = ("there is no run '%s' in the journal"):format(words[2] or "") }
    end
    return { run = run }, show_run(run)
  end
  local runs, rows = list_runs(book, words[1], 50)
  if not words[1] then return { runs = runs }, #rows > 0 and table.concat(util.columns(rows), "\n") or "no runs" end
  local versions, more = list_versions(book, words[1])
  local lines = util.columns(rows)
  local below = util.columns(more)
  table.move(below, 1, #below, #lines + 1, lines)
  return { runs = runs, versions = versions }, #lines > 0 and table.concat(lines, "\n") or "no runs"
end

return tap.workflow {
  name = "history",
  summary = "show the runs of this machine: all, those of a STACK, or `show RUN` in full",
  params = {
    { "what", "list", positional = true, help = "STACK, or show RUN" },
    { "prune", "duration", help = "forget the runs that are older than this" },
  },
  usage = "tapengine history show 20261126T100000-1a2b3c4d",

  run = function(_, p)
    local journal = require "tap.journal"
    if not journal.path() then
      tap.error.raise { class = "usage", code = "NoJournal", message = "TAP_JOURNAL is off: there is no journal" }
    end
    local book = journal.open()
    local closed <close> = setmetatable({}, { __close = function() book:close() end }) -- luacheck: ignore
    if p.prune then
      local n = book:prune(p.prune)
      return { forgotten = n }, ("%d runs forgotten"):format(n)
    end
    return show(book, p.what)
  end,
}

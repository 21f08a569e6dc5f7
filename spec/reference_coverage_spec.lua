-- Every part of the reference that the sandbox holds to has tests, and docs/reference-coverage.md says which. The page
-- is made from the names of the tests: TAP_WRITE_DOCS=1 build/tapengine spec/run.lua spec/reference_coverage_spec.lua
-- writes it anew.

local sys = require "tap.core.sys"

local PAGE = "docs/reference-coverage.md"

-- The parts whose rows must have tests, and what they are about.
local PARTS = {
  { "1.2", "transitions between stack statuses" }, { "1.3", "creating a stack" }, { "1.4", "rollback of a creation" },
  { "1.5", "updating a stack" }, { "1.6", "rollback triggers" }, { "1.7", "recovery operations" },
  { "1.8", "deleting a stack" }, { "1.9", "early validation" }, { "1.10", "names, visibility, reuse" },
  { "1.11", "express deployments" }, { "2.1", "the event record" }, { "2.2", "events of a creation" },
  { "2.3", "events of a failed creation" }, { "2.4", "events of an update" }, { "2.5", "events of a failed update" },
  { "2.6", "events of a deletion" }, { "2.7", "DescribeEvents" }, { "2.8", "texts of services and providers" },
  { "3.1", "change set statuses" }, { "3.2", "creating change sets" }, { "3.3", "what a change set says" },
  { "3.4", "executing and deleting change sets" }, { "3.5", "import" }, { "4.1", "the form of errors" },
  { "4.2", "what does not exist" }, { "4.3", "request constraints" }, { "4.4", "states" },
  { "4.5", "templates" }, { "4.6", "parameters" }, { "4.7", "capabilities" }, { "4.8", "callers and throttling" },
  { "5", "ValidateTemplate, GetTemplate, GetTemplateSummary" }, { "6.1", "functions, conditions, transforms" },
  { "6.2", "dynamic references" }, { "6.3", "attributes of resources" }, { "6.4", "outputs and exports" },
  { "6.5", "rules" }, { "8", "notifications" }, { "9.2", "answers" }, { "9.3", "pages" },
  { "9.6", "idempotency" }, { "10", "durations" }, { "11.1", "generated names" }, { "11.2", "ids and attributes" },
  { "12", "custom resources" },
}

-- "4.5, 6.1 is refused ..." -> "4.5", "6.1"
local function parts_of(name)
  local head, out = name:match "^([%d., ]+)", {}
  for part in (head or ""):gmatch "%d+%.?%d*" do out[#out + 1] = part end
  return out
end

local found = {} -- part -> its files

local function note(name, file)
  for _, part in ipairs(parts_of(name)) do
    local files = found[part] or {}
    found[part] = files
    if files[#files] ~= file then files[#files + 1] = file end
  end
end

-- A test counts for the part that begins its name, else for that of its group.
local function scan(file)
  local group = ""
  for line in sys.read_file("spec/" .. file):gmatch "[^\n]+" do
    group = line:match '^describe%("([^"]*)"' or group
    local name = line:match '^%s+it%("([^"]*)"' or line:match '^%s+row%("([^"]*)"' or line:match '^%s+early%("([^"]*)"'
    local is_row = name or line:match "^%s+row%(" or line:match "^%s+it%("
    if is_row then note(name and name:match "^%d" and name or group, file) end
  end
end

local function page()
  local lines = { "# What the sandbox holds to, and where that is tested", "",
    "Made by spec/reference_coverage_spec.lua from the names of the tests: do not edit. A part is one of the",
    "reference of CloudFormation's behaviour; the names of its tests begin with it.", "",
    "| part | about | in spec/ |", "| --- | --- | --- |" }
  for _, part in ipairs(PARTS) do
    local files = table.concat(found[part[1]] or {}, ", "):gsub("_spec%.lua", "")
    lines[#lines + 1] = ("| %s | %s | %s |"):format(part[1], part[2], files)
  end
  return table.concat(lines, "\n") .. "\n"
end

describe("the reference's parts", function()
  setup(function()
    local files = {}
    for _, name in ipairs(sys.list_dir "spec") do
      if name:match "^sandbox_.*_spec%.lua$" then files[#files + 1] = name end
    end
    table.sort(files)
    for _, file in ipairs(files) do scan(file) end
  end)

  for _, part in ipairs(PARTS) do
    it(part[1] .. ", " .. part[2] .. ", have tests", function()
      assert.is_table(found[part[1]])
    end)
  end

  it("are listed in the docs", function()
    if os.getenv "TAP_WRITE_DOCS" then sys.write_file(PAGE, page()) end
    assert.equal(page(), sys.read_file(PAGE))
  end)
end)

--- What is wrong with a serverless template, in SAM's words. A failure is raised by one resource, one of its events,
-- or the document; sandbox.template.serverless collects those of all resources.

local failure = {}

local KIND = {}

local function raise(scope, message, ...)
  if select("#", ...) > 0 then message = message:format(...) end
  error(setmetatable({ scope = scope, message = message }, KIND), 0)
end

--- Was `err` raised here?
function failure.is(err)
  return getmetatable(err) == KIND
end

--- A resource is wrong. The message is a format only when there is something to put into it.
---@param id string
---@param message string
function failure.resource(id, message, ...)
  if select("#", ...) > 0 then message = message:format(...) end
  raise("resource", ("Resource with id [%s] is invalid. %s"):format(id, message))
end

--- A resource is to be made whose id another one has.
---@param id string of the resource that is translated
---@param taken string
---@param type_name string of what is to be made
function failure.taken(id, taken, type_name)
  raise("resource", ("Transforming resource with id [%s] attempts to create a new resource with id [%s] and type "
    .. "\"%s\". A resource with that id already exists within this template. Please use a different id for that "
    .. "resource."):format(id, taken, type_name))
end

--- An event of a function or a state machine is wrong.
---@param id string the event's own name
function failure.event(id, message, ...)
  if select("#", ...) > 0 then message = message:format(...) end
  raise("event", ("Event with id [%s] is invalid. %s"):format(id, message))
end

--- The template's structure is wrong, as one resource sees it.
function failure.template(message, ...)
  if select("#", ...) > 0 then message = message:format(...) end
  raise("template", "Structure of the SAM template is invalid. " .. message)
end

--- The document is wrong: nothing else is looked at.
---@param causes string[] whole sentences
function failure.document(causes)
  error(setmetatable({ scope = "document", causes = causes }, KIND), 0)
end

--- The structure is wrong so that nothing else is looked at.
function failure.structure(message, ...)
  if select("#", ...) > 0 then message = message:format(...) end
  failure.document { "Structure of the SAM template is invalid. " .. message }
end

--- Runs `run`; what an event of the resource says becomes what the resource says.
---@param id string the resource's
function failure.within(id, run, ...)
  local results = table.pack(pcall(run, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local err = results[2]
  if failure.is(err) and err.scope == "event" then failure.resource(id, "%s", err.message) end
  error(err, 0)
end

--- Runs `run`; what is wrong with the document is wrong with a resource.
---@param id string the resource's
function failure.within_resource(id, run, ...)
  local results = table.pack(pcall(run, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local err = results[2]
  if failure.is(err) and err.scope == "document" then failure.resource(id, "%s", table.concat(err.causes, " ")) end
  error(err, 0)
end

--- The text about all causes, each once.
---@param causes string[]
---@return string
function failure.text(causes)
  local once, seen = {}, {}
  for _, cause in ipairs(causes) do
    if not seen[cause] then once[#once + 1] = cause end
    seen[cause] = true
  end
  return ("Invalid Serverless Application Specification document. Number of errors found: %d. %s")
    :format(#once, table.concat(once, " "))
end

return failure

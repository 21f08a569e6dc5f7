--- Amazon SES: mail that is sent is kept in the store (region.mail) for tests to read.

local fault = require "sandbox.fault"

local operations = {}

local function check_address(address)
  if type(address) ~= "string" or not address:match("^[^@%s]+@[^@%s]+%.[^@%s]+$")
    and not address:match("<[^@%s]+@[^@%s]+>$") then
    fault.raise("BadRequestException", "Illegal address")
  end
end

function operations.SendEmail(context, input)
  local destination = input.Destination or {}
  check_address(input.FromEmailAddress)
  for _, list in ipairs { destination.ToAddresses or {}, destination.CcAddresses or {} } do
    for _, address in ipairs(list) do check_address(address) end
  end
  local mail = context.region.mail
  local id = context.world.store:stream(("mail/%d"):format(#mail + 1)):uuid()
  mail[#mail + 1] = { id = id, from = input.FromEmailAddress, to = destination.ToAddresses, content =
    input.Content,
    at = context.world.clock.now() }
  return { MessageId = id }
end

function operations.GetAccount(context)
  return { SendingEnabled = true, ProductionAccessEnabled = true, EnforcementStatus = "HEALTHY",
    SendQuota = { Max24HourSend = 50000, MaxSendRate = 14, SentLast24Hours = #context.region.mail } }
end

return { operations = operations }

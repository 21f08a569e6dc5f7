--- Zip archives of a few files, as Lambda takes them. The same files give the same bytes, whenever and wherever they
-- are packed, so that what has not changed is not deployed again: no times, no owners, names in order. Nothing is
-- compressed, which Lambda does not mind.

local crypto = require "tap.core.crypto"

local zip = {}

local MOST = 0xffff -- files of an archive without extensions of the format
local VERSION, UNIX, UTF8, STORED = 20, 3, 0x800, 0
local MIDNIGHT, FIRST_DAY = 0, 0x21 -- 1980-01-01, where the format's time begins
local MODE = 0x81ed0000 -- a regular file, rwxr-xr-x: a runtime of one's own is started

-- What stands before a file's bytes and, again, in the directory.
local function facts_of(entry)
  return string.pack("<I2I2I2I2I4I4I4I2I2", UTF8, STORED, MIDNIGHT, FIRST_DAY, crypto.crc32(entry.bytes), #entry.bytes,
    #entry.bytes, #entry.name, 0)
end

local function local_header(entry)
  return "PK\3\4" .. string.pack("<I2", VERSION) .. facts_of(entry) .. entry.name
end

local function directory_entry(entry, offset)
  return "PK\1\2" .. string.pack("<I1I1I2", VERSION, UNIX, VERSION) .. facts_of(entry)
    .. string.pack("<I2I2I2I4I4", 0, 0, 0, MODE, offset) .. entry.name
end

--- An archive.
---@param entries { name: string, bytes: string }[] names with / between their parts; put in order here; under 4 GiB in
---  all, at most 65,535
---@return string bytes
function zip.of(entries)
  assert(#entries <= MOST, "too many files for an archive")
  local sorted = table.move(entries, 1, #entries, 1, {})
  table.sort(sorted, function(a, b) return a.name < b.name end)
  local files, directory, offset = {}, {}, 0
  for index, entry in ipairs(sorted) do
    directory[index] = directory_entry(entry, offset)
    files[#files + 1], files[#files + 2] = local_header(entry), entry.bytes
    offset = offset + #files[#files - 1] + #entry.bytes
  end
  local listing = table.concat(directory)
  return table.concat(files) .. listing .. "PK\5\6" .. string.pack("<I2I2I2I2I4I4I2", 0, 0, #sorted, #sorted, #listing,
    offset, 0)
end

return zip

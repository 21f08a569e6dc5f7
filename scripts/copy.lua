--- Copies a file to S3, or an object into a file.

local tap = require "tap"

local function refuse(message)
  tap.error.raise { class = "usage", code = "BadArguments", message = message,
    hints = { "tapengine copy FILE s3://BUCKET/KEY, or the other way round" } }
end

-- The key of an upload: one that ends in / is a folder, and takes the file's name.
local function key_for(key, path)
  return (key == "" or key:find "/$") and key .. path:match "[^/]*$" or key
end

return tap.workflow {
  name = "copy",
  summary = "copy a file to S3, or an object into a file, in parts, however large it is",
  effects = { "s3" },
  params = {
    { "source", "string", positional = true, required = true, help = "file, or s3://bucket/key" },
    { "target", "string", positional = true, required = true, help = "s3://bucket/key, or file" },
    { "content-type", "string", help = "of the object" },
  },
  usage = "tapengine copy app.zip s3://artifacts/app/",

  run = function(_, p)
    local s3 = require "tap.s3"
    local from, to, client = s3.parse(p.source), s3.parse(p.target), tap.client "s3"
    if (from == nil) == (to == nil) then refuse "one of the two is a file, the other one s3://BUCKET/KEY" end
    if to then
      to.Key, to.ContentType = key_for(to.Key, p.source), p.content_type
      local answer, size = s3.upload(client, p.source, to)
      return { bucket = to.Bucket, key = to.Key, size = size, etag = answer.ETag, version = answer.VersionId },
        ("%s is s3://%s/%s, %s"):format(p.source, to.Bucket, to.Key, s3.show_size(size))
    end
    if from.Key == "" then refuse(p.source .. " names no object") end
    local head = s3.download(client, from, p.target)
    return { file = p.target, size = head.ContentLength, etag = head.ETag, version = head.VersionId },
      ("%s is %s, %s"):format(p.source, p.target, s3.show_size(head.ContentLength))
  end,
}

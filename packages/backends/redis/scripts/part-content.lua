-- content(document): the bytes of a document that somebody else may have written, as a string or with RedisJSON;
-- false when there is none.
local function content(document)
  local value = redis.pcall('GET', document)
  if type(value) == 'table' and value.err then return redis.call('JSON.GET', document) end
  return value
end

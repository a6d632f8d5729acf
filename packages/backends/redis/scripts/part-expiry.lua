-- apply_expiry(document, meta, run, deliveries): starts the expiry of a working copy once nothing refers to it.
-- Fields of meta: ttl (milliseconds wanted), until (milliseconds since 1970; outranks references, not leases),
-- open (deliveries, waiting runs and unflushed pushes that are not finished), q:<list> (entries waiting there),
-- dead:<chain> (a dead letter).
local META_MARGIN = 60000

local function leased(run)
  local fields = redis.call('HGETALL', run)
  for at = 1, #fields, 2 do
    if string.sub(fields[at], 1, 2) == 't:' and string.sub(fields[at + 1], 1, 4) ~= 'done' then return true end
  end
  return false
end

local function referred(meta)
  for _, field in ipairs(redis.call('HKEYS', meta)) do
    if string.sub(field, 1, 2) == 'q:' or string.sub(field, 1, 5) == 'dead:' then return true end
  end
  return false
end

local function apply_expiry(document, meta, run, deliveries)
  local wish = redis.call('HMGET', meta, 'ttl', 'until', 'open')
  if not wish[1] and not wish[2] then return end
  if leased(run) then return end
  if wish[2] then
    redis.call('PEXPIREAT', document, wish[2])
    if wish[3] then return end
    redis.call('PEXPIREAT', meta, wish[2] + META_MARGIN)
    redis.call('PEXPIREAT', deliveries, wish[2] + META_MARGIN)
    return
  end
  if wish[3] or referred(meta) then return end
  redis.call('PEXPIRE', document, wish[1])
  redis.call('PEXPIRE', meta, wish[1] + META_MARGIN)
  redis.call('PEXPIRE', deliveries, wish[1] + META_MARGIN)
end

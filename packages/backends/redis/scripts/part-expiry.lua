-- apply_expiry(document, meta, deliveries): starts the expiry of a working copy once nothing refers to it.
-- Fields of meta that decide: ttl (milliseconds wanted), until (what a link asked for: "+" and milliseconds from when
-- it may start, then milliseconds since 1970; entries that merely wait do not hold it), open (deliveries, waiting runs
-- and unflushed pushes that are not finished), t:<entry> (a run, until "done"), q:<list> (entries waiting there),
-- dead:<chain> (a dead letter).
local META_MARGIN = 60000

local function apply_expiry(document, meta, deliveries)
  local facts = redis.call('HGETALL', meta)
  local ttl, deadline, open, leased, referred, dead
  for at = 1, #facts, 2 do
    local field, value = facts[at], facts[at + 1]
    local prefix = string.sub(field, 1, 2)
    if field == 'ttl' then
      ttl = value
    elseif field == 'until' then
      deadline = value
    elseif field == 'open' then
      open = true
    elseif prefix == 't:' then
      leased = leased or string.sub(value, 1, 4) ~= 'done'
    elseif prefix == 'q:' then
      referred = true
    elseif string.sub(field, 1, 5) == 'dead:' then
      dead = true
    end
  end
  if leased or open or dead then return end
  if deadline then
    if string.sub(deadline, 1, 1) == '+' then
      local time = redis.call('TIME')
      deadline = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + string.sub(deadline, 2))
      redis.call('HSET', meta, 'until', deadline)
    end
    redis.call('PEXPIREAT', document, deadline)
    redis.call('PEXPIREAT', meta, deadline + META_MARGIN)
    redis.call('PEXPIREAT', deliveries, deadline + META_MARGIN)
  elseif ttl and not referred then
    redis.call('PEXPIRE', document, ttl)
    redis.call('PEXPIRE', meta, ttl + META_MARGIN)
    redis.call('PEXPIRE', deliveries, ttl + META_MARGIN)
  end
end

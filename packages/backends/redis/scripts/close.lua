-- Closes committed runs after their outbox has been carried out, and starts what expiry they asked for.
-- KEYS, four per run: document, meta, run, deliveries
-- ARGV, two per run: entry, chain whose dead letter this run has made good ("" for none)
-- Returns 1.
--@include expiry
for at = 0, #ARGV / 2 - 1 do
  local document, meta, run, deliveries = KEYS[at * 4 + 1], KEYS[at * 4 + 2], KEYS[at * 4 + 3], KEYS[at * 4 + 4]
  local entry, chain = ARGV[at * 2 + 1], ARGV[at * 2 + 2]
  redis.call('HDEL', run, 'o:' .. entry, 'c:' .. entry) -- frees first, so the script also runs at maxmemory
  if chain ~= '' then redis.call('HDEL', meta, 'dead:' .. chain) end
  apply_expiry(document, meta, run, deliveries)
end
return 1

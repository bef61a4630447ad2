-- Sends each prepared request once, in order; the last one again if they run out (the bench checks that).
local requests, place = {}, 0
function init(args)
  local file = assert(io.open(args[1], "rb"))
  while true do
    local size = file:read(8)
    if not size then break end
    requests[#requests + 1] = file:read(tonumber(size))
  end
  file:close()
end
function request()
  if place < #requests then place = place + 1 end
  return requests[place]
end

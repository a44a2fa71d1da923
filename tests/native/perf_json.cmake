# Fails unless PROGRAM's perf, on the CPU's ops, writes numbers for one case and its ceiling to the file JSON that fit each
# other: how fast they are is not looked at.
execute_process(COMMAND ${PROGRAM} perf geglu --cpu --json ${JSON} COMMAND_ERROR_IS_FATAL ANY)
file(READ ${JSON} text)

# Requires `left` and `right`, products of numbers, to be the same but for the digits that the file leaves out.
function(require_same what left right)
  execute_process(COMMAND awk "BEGIN { left = ${left}; right = ${right}; d = left - right
    exit !(right > 0 && d < 0.01 * right && -d < 0.01 * right) }" RESULT_VARIABLE wrong)
  if(wrong)
    message(SEND_ERROR "${what}: ${left} is not ${right}")
  endif()
endfunction()

foreach(path ceilings cases)
  foreach(member name seconds gigabytes_per_second)
    string(JSON ${path}_${member} GET "${text}" ${path} 0 ${member})
  endforeach()
  string(JSON batches LENGTH "${text}" ${path} 0 batches)
  if(NOT batches EQUAL 9)
    message(SEND_ERROR "${${path}_name}: ${batches} batches, expected 9")
  endif()
endforeach()
string(JSON share GET "${text}" cases 0 share)
string(JSON of GET "${text}" cases 0 of)
if(NOT of STREQUAL "copy")
  message(SEND_ERROR "the share is one of ${of}, expected copy")
endif()
# 2^27 floats are read and written; bf16 of [300, 2, 9216] read and half of it written.
require_same(bandwidth "${ceilings_gigabytes_per_second} * ${ceilings_seconds}" "2 * 4 * 2^27 * 1e-9")
require_same(share "${share} * ${ceilings_gigabytes_per_second}" "${cases_gigabytes_per_second}")
require_same(bandwidth "${cases_gigabytes_per_second} * ${cases_seconds}" "1.5 * 2 * 300 * 2 * 9216 * 1e-9")

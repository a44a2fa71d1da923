# Fails unless PROGRAM, with no card to be seen, says so in one line and ends with status 1.
set(ENV{CUDA_VISIBLE_DEVICES} "")
execute_process(COMMAND ${PROGRAM} test RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
set(reasons "no NVIDIA driver is installed|the NVIDIA driver shows no device \\(is CUDA_VISIBLE_DEVICES set\\?\\)")
if(NOT status EQUAL 1 OR NOT errors MATCHES "^no CUDA device can be used: (${reasons})\n$")
  message(FATAL_ERROR "status ${status}, output:\n${output}\nerrors:\n${errors}")
endif()

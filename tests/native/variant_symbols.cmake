# Fails when an object of the CPU variant VARIANT defines a symbol that other objects could link to outside the
# variant's namespace. Type information and the pointer to the exception personality are data, the same in
# every variant.
execute_process(COMMAND ${NM} --demangle --defined-only --extern-only ${OBJECTS}
                OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[0-9a-f]+ [A-Za-z] [^\n]+" symbols "${symbols}")
set(own 0)
foreach(symbol IN LISTS symbols)
  string(REGEX REPLACE "^[0-9a-f]+ [A-Za-z] " "" name "${symbol}")
  if(name MATCHES "sv::cpu::${VARIANT}::")
    math(EXPR own "${own} + 1")
  elseif(NOT name MATCHES "^(typeinfo |DW\\.ref\\.)")
    message(SEND_ERROR "${symbol}: expected only names in sv::cpu::${VARIANT}")
  endif()
endforeach()
if(own EQUAL 0)
  message(FATAL_ERROR "no symbol of sv::cpu::${VARIANT} in: ${OBJECTS}")
endif()

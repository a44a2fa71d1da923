# Fails when LIBRARY needs a library that is neither on every Linux machine nor carried beside it (libgomp): it could not
# even be loaded to say that there is no card. Fails too when it looks anywhere but beside itself.
execute_process(COMMAND ${OBJDUMP} --private-headers ${LIBRARY}
                OUTPUT_VARIABLE headers COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "NEEDED +[^\n]+" needed "${headers}")
if(NOT needed)
  message(FATAL_ERROR "${LIBRARY} needs no library at all, not even libc")
endif()
foreach(entry IN LISTS needed)
  string(REGEX REPLACE "NEEDED +" "" name "${entry}")
  if(NOT name MATCHES
     "^(libc|libm|libdl|librt|libpthread|libgcc_s|libstdc\\+\\+|libgomp|ld-linux-x86-64)\\.so\\.[0-9]+$")
    message(SEND_ERROR "${LIBRARY} needs ${name}")
  endif()
endforeach()
string(REGEX MATCH "(RPATH|RUNPATH) +[^\n]+" path "${headers}")
if(NOT path MATCHES " [$]ORIGIN$")
  message(SEND_ERROR "${LIBRARY} looks for libraries in: ${path}")
endif()

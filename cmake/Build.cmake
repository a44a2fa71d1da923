# One command for Maven: configure, then build with a job for each core (make takes no number as "without limit").
cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/../native -B ${BUILD_DIR}
                        -DCMAKE_BUILD_TYPE=Release -DSV_VERSION=${PROJECT_VERSION}
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD_DIR} --parallel ${cores} COMMAND_ERROR_IS_FATAL ANY)

# One command for Maven: configure, then build with a job for each core (make takes no number as "without limit").
cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
set(testing ON)
if(SKIP_TESTS STREQUAL "true")
  set(testing OFF)
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/../native -B ${BUILD_DIR}
                        -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=${testing} -DSV_VERSION=${PROJECT_VERSION}
                        -DSV_CUDA=${CUDA} -DSV_CUDA_ARCH=${CUDA_ARCH}
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD_DIR} --parallel ${cores} COMMAND_ERROR_IS_FATAL ANY)

# JavaCPP puts into the jar what the binding is linked to. The CUDA kernels are loaded only when a card is asked for, so
# nothing is linked to them; they go beside the others, where libsanavideo.so looks for them.
set(name libsanavideo_cuda.so)
if(EXISTS ${BUILD_DIR}/lib/${name})
  file(MAKE_DIRECTORY ${JAR_DIR})
  file(COPY_FILE ${BUILD_DIR}/lib/${name} ${JAR_DIR}/${name} ONLY_IF_DIFFERENT)
else()
  file(REMOVE ${JAR_DIR}/${name})
endif()

# Whether the library of CUDA kernels is built (SV_CUDA), and for which cards (SV_CUDA_ARCH). Sets SV_HAVE_CUDA and
# enables the language, or sets SV_CUDA_MISSING to the reason. docs/building.md tells both options from a user's side.
set(SV_CUDA AUTO CACHE STRING "CUDA kernels: AUTO (where there is an nvcc), ON (or fail), OFF")
set(SV_CUDA_ARCH 90a,120a CACHE STRING "Compute capabilities, as 90a,120a; or all; or native, those of this machine's cards")

# Machine code for every kind of card that the kernels run on: 80 serves 8.6 and 8.7 too, 100 serves 10.3. The driver
# compiles PTX (100 without -real) for cards that have no machine code here. All of those are newer than 10.0, so PTX of
# an older kind would add nothing but leave out instructions; and this one is on the way to sm_100 anyway.
set(all_architectures 80-real 89-real 90a-real 100 120a-real)

# The compute capabilities of this machine's cards; none when there is no card.
function(find_native_architectures out)
  execute_process(COMMAND nvidia-smi --query-gpu=compute_cap --format=csv,noheader
                  OUTPUT_VARIABLE found RESULT_VARIABLE status ERROR_QUIET)
  string(REGEX MATCHALL "[0-9]+\\.[0-9]" found "${found}")
  list(REMOVE_DUPLICATES found)
  list(TRANSFORM found REPLACE "\\." "")
  # The two kinds with instructions of their own.
  list(TRANSFORM found APPEND a REGEX "^(90|120)$")
  if(NOT status EQUAL 0)
    set(found "")
  endif()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

if(SV_CUDA_ARCH STREQUAL "all")
  set(architectures ${all_architectures})
else()
  if(SV_CUDA_ARCH STREQUAL "native")
    find_native_architectures(architectures)
  else()
    string(REPLACE "," ";" architectures "${SV_CUDA_ARCH}")
  endif()
  list(TRANSFORM architectures APPEND -real)
endif()

# What keeps the kernels from being built.
find_program(nvcc nvcc HINTS $ENV{CUDA_HOME}/bin $ENV{CUDA_PATH}/bin PATHS /usr/local/cuda/bin NO_CACHE)
set(SV_CUDA_MISSING "")
if(SV_CUDA STREQUAL "OFF")
  set(SV_CUDA_MISSING "switched off")
elseif(NOT nvcc)
  set(SV_CUDA_MISSING "no nvcc on PATH, in CUDA_HOME or in /usr/local/cuda")
elseif(NOT architectures)
  set(SV_CUDA_MISSING "this machine shows no NVIDIA card")
else()
  execute_process(COMMAND ${nvcc} --version OUTPUT_VARIABLE release)
  string(REGEX MATCH "release ([0-9.]+)" release "${release}")
  if(CMAKE_MATCH_1 VERSION_LESS 12.8)
    set(SV_CUDA_MISSING "${nvcc} is of CUDA ${CMAKE_MATCH_1}, older than 12.8")
  endif()
endif()

if(NOT SV_CUDA_MISSING)
  set(SV_HAVE_CUDA ON)
  set(CMAKE_CUDA_COMPILER ${nvcc})
  set(CMAKE_CUDA_ARCHITECTURES ${architectures})
  set(CMAKE_CUDA_STANDARD 17)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  enable_language(CUDA)
  string(REPLACE ";" ", " text "${architectures}")
  message(STATUS "CUDA kernels: nvcc ${CMAKE_CUDA_COMPILER_VERSION} for ${text}")
elseif(SV_CUDA STREQUAL "ON")
  message(FATAL_ERROR "SV_CUDA is ON, but the CUDA kernels cannot be built: ${SV_CUDA_MISSING}")
else()
  set(SV_HAVE_CUDA OFF)
  message(STATUS "CUDA kernels: not built, ${SV_CUDA_MISSING}")
endif()

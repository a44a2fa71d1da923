# Compiles the CPU ops once per instruction set; the best one is chosen when a context is made (cpu/variant.cpp).
set(SV_VARIANT_FLAGS_v2 -march=x86-64-v2)
set(SV_VARIANT_FLAGS_v3 -march=x86-64-v3)
set(SV_VARIANT_FLAGS_v4 -march=x86-64-v4 -mprefer-vector-width=512)
set(SV_VARIANT_FLAGS_v4_bf16 -march=x86-64-v4 -mavx512bf16 -mprefer-vector-width=512)

# add_cpu_variants(TARGET SOURCES...): adds to TARGET one object library per variant of SOURCES.
function(add_cpu_variants target)
  foreach(variant v2 v3 v4 v4_bf16)
    add_library(${target}_${variant} OBJECT ${ARGN})
    target_compile_definitions(${target}_${variant} PRIVATE SV_VARIANT=${variant} SV_BUILD)
    target_compile_options(${target}_${variant} PRIVATE ${SV_VARIANT_FLAGS_${variant}})
    target_link_libraries(${target}_${variant} PRIVATE sanavideo_options)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_${variant}>)
  endforeach()
endfunction()

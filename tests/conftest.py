"""Two devices for every test, so that what is dealt over devices is tested where there is one core as well."""

import jax

jax.config.update("jax_num_cpu_devices", 2)

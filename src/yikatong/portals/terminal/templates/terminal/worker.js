{% autoescape off %}"use strict";
importScripts({% for address in addresses %}"{{ address|escapejs }}"{% if not forloop.last %}, {% endif %}{% endfor %});
{% endautoescape %}
